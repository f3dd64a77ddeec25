"""What a person sees before a client is let in, and what they can and cannot be tricked into."""

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.oauth.models import Grant
from agentxsuite.control.tenancy.accounts import reset_password
from tests.browser.conftest import PASSWORD
from tests.browser.pages import Program, allow, listening, log_in
from tests.cast import MADE_BY_HAND

pytestmark = [pytest.mark.django_db(transaction=True)]
SOME_ID = "00000000-0000-4000-8000-000000000000"
XSS = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def recorded(event_type):
    return sync_to_async(AuditEvent.objects.filter(event_type=event_type).count)()


async def test_the_page_tells_who_asks_where_the_answer_goes_and_for_what(house, tab):
    """Otherwise: people say yes to they know not whom."""
    async with listening() as callback:
        program = Program(house, callback)
        await program.register(client_name=XSS[:100])
        await tab.goto(program.link(scope="tool.invoke resource.read"))
        await log_in(tab, house.person("bob").email)
        main = tab.get_by_role("main")
        text = await main.inner_text()
        assert "<script>document.title='owned'</script>" in text
        assert f"127.0.0.1:{callback.port}" in text
        for word in ("Acme / prod", "Clerk", "tool.invoke", "resource.read", "bob@acme.example"):
            assert word in text, word
        assert "prompt.get" not in text
        assert await tab.title() == "Allow · AgentxSuite"
        assert await tab.locator("link[rel=stylesheet]").evaluate("link => link.sheet !== null")
        await allow(tab)
        answer = await callback.answer()
    assert (answer["state"], answer["iss"]) == (program.state, house.base)
    tokens = (await program.exchange(answer["code"])).json()
    assert set(tokens["scope"].split()) == {"tool.invoke", "resource.read"}
    assert (await program.list_tools(tokens["access_token"])).status_code == 200


async def test_the_page_speaks_german(house, browser):
    """Otherwise: half of the people do not understand what they allow."""
    context = await browser.new_context(locale="de-DE")
    tab = await context.new_page()
    async with listening() as callback:
        program = Program(house, callback)
        await program.register()
        await tab.goto(program.link())
        await tab.get_by_label("E-Mail-Adresse").fill(house.person("bob").email)
        await tab.get_by_label("Passwort").fill(PASSWORD)
        await tab.get_by_role("button", name="Anmelden").click()
        await tab.get_by_role("button", name="Ablehnen").click()
        assert (await callback.answer())["error"] == "access_denied"
    assert await recorded("grant_refused") == 1
    assert await sync_to_async(Grant.objects.count)() == 0
    await context.close()


async def test_who_only_looks_cannot_let_anybody_in(house, tab):
    """Otherwise: a viewer's client runs tools."""
    async with listening() as callback:
        program = Program(house, callback)
        await program.register()
        await tab.goto(program.link())
        await log_in(tab, house.person("vera").email)
        assert "Only operators and above" in await tab.get_by_role("main").inner_text()
        assert await tab.get_by_role("button", name="Allow").count() == 0
        await tab.get_by_role("button", name="Back to the client").click()
        assert (await callback.answer())["error"] == "access_denied"
        await tab.goto(program.link())
        await tab.get_by_role("button", name="Use another account").click()
        await log_in(tab, house.person("bob").email)
        await allow(tab)
        assert "code" in await callback.answer()


async def test_a_foreign_environment_is_as_unknown_as_none(house, tab, rival):
    """Otherwise: people learn of, or get into, another company's environments."""
    where = f"{house.base}/mcp/{rival.organization.id}/{rival.prod.id}/"
    async with listening() as callback:
        program = Program(house, callback)
        await program.register()
        texts = []
        for resource in (where, house.mcp.replace(str(house.world.company.prod.id), SOME_ID)):
            await tab.goto(program.link(resource=resource))
            if not texts:
                await log_in(tab, house.person("bob").email)
            texts.append(await tab.get_by_role("main").inner_text())
        assert "There is no such environment" in texts[0]
        assert texts[0] == texts[1]


async def test_wrong_passwords_are_counted_and_told_apart_from_nothing(house, tab):
    """Otherwise: passwords are guessed over the page, which the REST API does not allow."""
    await tab.goto(f"{house.base}/login/")
    for _ in range(10):
        await log_in(tab, house.person("bob").email, "wrong")
        assert "do not belong together" in await tab.get_by_role("alert").inner_text()
    await log_in(tab, house.person("bob").email)
    assert "Too many tries" in await tab.get_by_role("alert").inner_text()
    assert await recorded("login_failed") == 10


async def test_a_new_password_ends_what_the_browser_had(house, tab, context):
    """Otherwise: somebody who took a browser over stays in after the password was changed."""
    async with listening() as callback:
        program = Program(house, callback)
        await program.register()
        await tab.goto(program.link())
        await log_in(tab, house.person("bob").email)
        await tab.get_by_role("button", name="Allow").wait_for()
        (cookie,) = [one for one in await context.cookies() if one["name"] == "agentxsuite"]
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Lax", -1)
        await sync_to_async(reset_password)(
            MADE_BY_HAND, house.person("bob").email, f"{PASSWORD} 2"
        )
        await tab.goto(program.link())
        assert await tab.get_by_label("Password").count() == 1


async def test_no_other_site_can_frame_a_page_or_send_its_form(house, context):
    """Otherwise: a page of somebody else's lets a client in by a person's click."""
    async with listening() as callback:
        program = Program(house, callback)
        await program.register()
        tab = await context.new_page()
        answer = await tab.goto(program.link())
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert policy.startswith("default-src 'none'")
        assert answer.headers["x-frame-options"] == "DENY"
        await log_in(tab, house.person("bob").email)
        await tab.get_by_role("button", name="Allow").wait_for()
        agent = house.agent.id
        evil = await context.new_page()
        await evil.goto(f"{house.base}/healthz")
        await evil.set_content(
            f'<form method="post" action="{program.link()}"><input name="agent" value="{agent}">'
            '<input name="answer" value="allow"></form>'
        )
        await evil.locator("form").evaluate("form => form.submit()")
        await evil.get_by_text("This page is too old").wait_for()
    assert await sync_to_async(Grant.objects.count)() == 0


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example/oauth/authorize/?",
        "/api/docs/",
        "/\\evil",
        "/account/callback/../../api/docs/?",
        "/account/connect/@evil.example/?",
    ],
)
async def test_the_login_leads_nowhere_else(house, tab, onward):
    """Otherwise: a link to our login ends on a page that asks for the password again."""
    await tab.goto(f"{house.base}/login/?next={onward}")
    await log_in(tab, house.person("bob").email)
    await tab.get_by_text("You are logged in").wait_for()
    assert tab.url == f"{house.base}/login/"

// What every client of JavaScript plays here: list, call, be refused, call again. Says it as JSON.

const { ADDRESS, TOKEN, CALLS, PACKAGE } = process.env;

const modules = {
  "@modelcontextprotocol/sdk": ["client/index.js", "client/streamableHttp.js"],
  "@modelcontextprotocol/client": ["", ""],
};

async function load(file) {
  return import(file ? `${PACKAGE}/${file}` : PACKAGE);
}

const [clients, transports] = modules[PACKAGE];
const { Client } = await load(clients);
const { StreamableHTTPClientTransport } = await load(transports);

const client = new Client({ name: "tests", version: "1.0.0" });
await client.connect(
  new StreamableHTTPClientTransport(new URL(ADDRESS), {
    requestInit: { headers: { Authorization: `Bearer ${TOKEN}` } },
  }),
);
const { tools } = await client.listTools();
const results = [];
for (const call of JSON.parse(CALLS)) {
  results.push(await client.callTool(call).catch((error) => ({ error: error.message })));
}
await client.close();
console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), results }));

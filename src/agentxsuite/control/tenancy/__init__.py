"""Organizations, their environments, people, and the walls between tenants."""

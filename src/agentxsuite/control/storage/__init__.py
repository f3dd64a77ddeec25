"""How the database keeps what the program promises: partitions, roles, walls, one write lock."""

"""The generated matrix: every route and method, asked by everybody who might."""

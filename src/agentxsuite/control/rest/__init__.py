"""What every kind of REST API is made of: reading, checking, listing, answering, repeating."""

"""What is made from the code for people to read: the man page, the pictures."""

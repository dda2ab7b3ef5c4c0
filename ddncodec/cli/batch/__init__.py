"""What `ddnc encode` and `ddnc decode` share: the words of the command line, previews, reports."""

"""The trained networks that several chapters share, their training and their stored weights."""

"""The API's endpoints, as the sandbox serves them."""

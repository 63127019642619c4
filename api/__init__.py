"""HTTP, pages, command line and MCP: the edge. Starts without torch, prophet, pyod or mlflow."""

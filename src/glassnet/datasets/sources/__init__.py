"""Any images in: what lies at a path is told by looking at it, and becomes pictures or arrays with labels."""

"""The lab: a page in the browser to build, train, look into and try networks, on the user's own machine."""

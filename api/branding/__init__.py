"""How a company wants its pages to look: colours that can be read, logos that are only pictures."""

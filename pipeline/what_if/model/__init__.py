"""One service under chosen settings: the answer itself, and the model that the browser answers with."""

"""How good the corpus of a workspace is: a random sample of it, judged by people, with intervals."""

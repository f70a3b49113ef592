"""The review site: pages that open from disk, made from the results, the figures and the tables.

    pages.py       the pages, how one is rendered, numbers by their keys: a new page is a row and a template
    findings.py    the rows of the start page, with their places on a log axis; the claims and their verdicts
    pictures.py    every figure and table, with captions, columns as the contracts describe them, parameters
    build.py       all files of the site by their place; the paper, notebooks, the card, what to do first
    whatif/        the inside of the what-if page and its script; its data: build/whatif
    templates/     pages; `base.html.j2` is the frame, with the blocks `title`, `main` and `scripts`
    assets/        one style sheet, one script

No page asks the network for anything. Every number of the text comes from a result; a test fails on a digit
that is typed in a template.
"""

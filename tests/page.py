"""A page of HTML as a browser would take it apart; for the tests of reports."""

import json
import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """What a browser would see: text, tags, scripts and addresses."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.data, self.words, self.tags, self.addresses = [], {}, [], [], []
        self.inside = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.inside = (tag, values) if tag in ("script", "style") else None
        self.addresses += [v for k, v in attrs if k in ("src", "href", "action", "data")]

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, text):
        if self.inside is None:
            self.words.append(text)
        elif self.inside[0] == "script" and "id" in self.inside[1]:
            self.data[self.inside[1]["id"]] = json.loads(text)
        elif self.inside[0] == "script":
            self.scripts.append(text)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))

"""A cursor over tokens: what every part of the parser uses."""

from __future__ import annotations

from collections.abc import Mapping

from netlab.packetdrill.lexer import Token, tokens
from netlab.packetdrill.script import BadScript


class Reader:
    """The tokens of a text, taken one by one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens(text)
        self._at = 0

    def substitute(self, words: Mapping[str, str]) -> None:
        """From here on each of these words reads as what it stands for."""
        left: list[Token] = []
        for token in self._tokens[self._at :]:
            meant = words.get(token.text) if token.kind == "word" else None
            if meant is None:
                left.append(token)
            else:
                left += [t._replace(line=token.line, at=token.at, end=token.end) for t in tokens(meant)]
        self._tokens[self._at :] = left

    @property
    def more(self) -> bool:
        """Whether a token is left."""
        return self._at < len(self._tokens)

    @property
    def line(self) -> int:
        """The line of the next token, or the last line."""
        return self.peek().line if self.more else self.text.count("\n") + 1

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or one further on; an empty one behind the end."""
        at = self._at + ahead
        end = len(self.text)
        return self._tokens[at] if at < len(self._tokens) else Token("end", "", self.text.count("\n") + 1, end, end)

    def take(self) -> Token:
        """The next token, consumed."""
        token = self.peek()
        self._at += 1
        return token

    def sees(self, *texts: str) -> bool:
        """Whether the next tokens read like this."""
        return all(self.peek(i).text == text for i, text in enumerate(texts))

    def accept(self, text: str) -> bool:
        """Consume the next token if it reads like this."""
        if self.peek().text == text and self.more:
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> Token:
        """Consume the next token, which must read like this."""
        if self.peek().text != text:
            raise self.wrong(f"'{text}'")
        return self.take()

    def integer(self, what: str) -> int:
        """Consume a number, decimal or hexadecimal."""
        token = self.peek()
        if token.kind == "integer":
            return int(self.take().text)
        if token.kind == "hex":
            return int(self.take().text, 16)
        raise self.wrong(what)

    def wrong(self, wanted: str) -> BadScript:
        """The complaint about the next token."""
        token = self.peek()
        got = f"'{token.text}'" if token.kind != "end" else "the end"
        return BadScript(token.line, f"{wanted} is wanted here, not {got}")

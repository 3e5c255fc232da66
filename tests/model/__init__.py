"""The protocol of docs/protocol.md as a model: every state that it can reach, whatever fails."""

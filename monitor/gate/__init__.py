"""When a sound is worth hearing: level against the room's own floor, and complete segments."""

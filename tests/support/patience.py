"""How long a test waits for what must come. On a busy machine everything takes many times as long as on an
idle one, and only a test that fails waits to the end."""

WAIT_S = 60

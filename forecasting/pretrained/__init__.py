"""Networks that knew many generated series before they see the first real one."""

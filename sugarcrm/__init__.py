"""The far end: SugarCRM clients behind one interface, and an emulator for tests and demos."""

/** Closes what was opened: a tap test, or a program that calls these functions when it ends. */
export interface Owner { teardown (undo: () => unknown): unknown }

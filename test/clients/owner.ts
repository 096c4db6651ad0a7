/** Who ends what was opened: a tap test, or a program that calls these functions when it is over. */
export interface Owner { teardown (undo: () => unknown): unknown }

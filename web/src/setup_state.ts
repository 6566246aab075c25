// What leads into the set-up: a dead letter does to the tester of mappings.
import { signal } from "@preact/signals";

/** The message that the tester of mappings begins with. */
export const message = signal<{ topic: string; payload: string }>({ topic: "", payload: "" });

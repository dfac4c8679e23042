// How a case of the matrix asks by the library instead of a server.
import type { AskPort, LibraryPlace } from "./stage.ts";

export async function askLibrary(_place: LibraryPlace): Promise<AskPort> {
  throw new Error("not yet");
}

// Keeps Claude Code from telling a chat's model where it has put a copy of an image. Where a conversation is kept, it stores images
// in its temporary folder and adds "[Image: source: <path>]" for the model, which has no tool to read it; an image that it could not
// store goes without (measured, 2.1.330: test/e2e/images.test.ts notices a change).
import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { toFolderName } from "./transcript.ts";

/**
 * Puts a file where the folder of a session's images would be.
 *
 * @param temporaryDir the process's `CLAUDE_CODE_TMPDIR`, before it is started.
 */
export function closeImageStore(temporaryDir: string, workspace: string, sessionId: string): void {
  const session = join(temporaryDir, `claude-${userInfo().uid}`, toFolderName(workspace), sessionId);
  mkdirSync(session, { recursive: true, mode: 0o700 });
  writeFileSync(join(session, "images"), "");
}

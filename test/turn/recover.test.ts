// What a turn says that can't go on.
import { describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import { notRenewed } from "../../src/turn/recover.ts";

const dead = new CcapiError("upstream_auth_unavailable", "It does not work: log in.", {
  state: "locked_out",
  action: "log in",
  shouldRetry: true,
});

describe("a credential that nobody renewed", () => {
  it("after tools ran keeps a client from asking again blindly, and names them once each (A5)", () => {
    const error = notRenewed(dead, ["Bash", "Edit", "Bash"], "abc");
    expect(error).toMatchObject({
      code: "upstream_auth_failed_after_side_effects",
      shouldRetry: false,
      state: "locked_out",
      action: "log in",
    });
    expect(String(error)).toContain("Tools that were started: Bash, Edit. The session abc is as it was");
  });

  it("where no tool ran is the plain failure, which may be tried again (A5)", () => {
    expect(notRenewed(dead, [], "abc")).toBe(dead);
  });

  it("in time is no better than one that nobody renewed (A5)", () => {
    expect(notRenewed(new DOMException("time", "TimeoutError"), ["Bash"], undefined)).toMatchObject({
      code: "upstream_auth_failed_after_side_effects",
      message:
        "The Claude credential was not renewed in time. It failed after tools had been started. Tools that were started: Bash.",
    });
  });
});

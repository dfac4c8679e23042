#!/usr/bin/env node
// Starts the command line. In the JavaScript of ten years ago, so that an old Node can say that it is too old.
// Reads as a module and as a script: it imports by calls only.
var wanted = [22, 18];
var present = process.versions.node.split(".").map(Number);

if (present[0] < wanted[0] || (present[0] === wanted[0] && present[1] < wanted[1])) {
  console.error("ccapi needs Node " + wanted.join(".") + " or newer; this is Node " + process.versions.node + ".");
  process.exitCode = 1;
} else {
  // A checkout runs from its source, for what was built of it may be old; the published package has none.
  import("../src/cli.ts")
    .catch(function (error) {
      if (error.code === "ERR_MODULE_NOT_FOUND" && /src[\\/]cli\.ts' imported/.test(error.message)) {
        return import("../dist/cli.js");
      }
      throw error;
    })
    .then(function (cli) {
      return cli.run();
    })
    .catch(function (error) {
      console.error(error);
      process.exitCode = 1;
    });
}

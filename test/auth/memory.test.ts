// The store in memory keeps the contract of stores.
import { createMemoryStore } from "../../src/auth/store/memory.ts";
import { fakeClock } from "./fake-clock.ts";
import { storeContract } from "./store-contract.ts";

storeContract("in memory", async () => {
  const clock = fakeClock();
  const store = createMemoryStore({ clock });
  return { stores: [store, store], pass: (ms) => clock.advance(ms), close: () => store.close() };
});

// The log of requests stays within its bounds.
import { expect, it } from "vitest";
import { createRecordLog } from "../../src/simulator/record.ts";

const arrived = { at: 0, method: "POST", path: "/v1/messages", headers: {} };

it("keeps at most 10 000 records, the newest ones (E1)", () => {
  const log = createRecordLog();
  for (let index = 0; index < 25_000; index += 1) log.open({ ...arrived, at: index });
  expect(log.records.length).toBeGreaterThanOrEqual(9000);
  expect(log.records.length).toBeLessThanOrEqual(10_000);
  expect(log.records.at(-1)?.at).toBe(24_999);
});

it("lets the oldest bodies go when they are more than 64 MB together (E1)", () => {
  const log = createRecordLog();
  const megabytes = 10 * 1024 * 1024;
  for (let index = 0; index < 10; index += 1) log.keepBody(log.open(arrived), { index }, megabytes);
  expect(log.records.map(({ body }) => (body === null ? null : (body as { index: number }).index))).toEqual([
    null,
    null,
    null,
    null,
    4,
    5,
    6,
    7,
    8,
    9,
  ]);
});

it("does not keep a body for a record that was cleared meanwhile (E1)", () => {
  const log = createRecordLog();
  const record = log.open(arrived);
  log.clear();
  log.keepBody(record, { a: 1 }, 7);
  expect(record.body).toBeNull();
  const next = log.open(arrived);
  log.keepBody(next, { b: 1 }, 7);
  expect(log.records).toEqual([{ ...next, body: { b: 1 } }]);
});

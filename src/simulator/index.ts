// Package entry `ccapi/simulator`: the Anthropic Messages API on loopback, for trials and tests without account or network.
export type {
  Credentials,
  CredentialSpec,
  CredentialStatus,
  Fault,
  Rejection,
  RequestRecord,
  Rule,
  ScriptEntry,
  Simulator,
  SimulatorOptions,
} from "./contract.ts";
export type { AnswerBlock, Usage } from "./message.ts";
export type {
  JsonObject,
  ParsedBlock,
  ParsedMessage,
  ParsedRequest,
  ParsedTool,
  ToolChoice,
  ToolResult,
} from "./request.ts";
export { startSimulator } from "./server.ts";

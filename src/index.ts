// Package entry `ccapi`: what a program of one's own may lean on, name by name. Loads no HTTP and no Agent SDK.
export { CcapiError, type ErrorCode, type ErrorDetails } from "./auth/errors.ts";

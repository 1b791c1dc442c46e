import type { Limits } from './model.ts';

const mebibyte = 1024 * 1024;

/** Generous for documents that people read, small beside the memory of a container. */
export const defaultLimits: Limits = {
  wireBytes: 16 * mebibyte,
  plainBytes: 64 * mebibyte,
  requestBytes: 8 * mebibyte,
  milliseconds: 30_000,
  memoryMebibytes: 512,
  conversions: 4,
  sessions: 256,
};

import { isJsonObject, parseJson } from '../../json/json.ts';
import type { Diagnostic } from '../model.ts';
import { bounded } from '../request/bounded-text.ts';

/** The parsed `error_detail` of a request. */
export interface ErrorDetail {
  /** True if it contains an error. A node that sends warnings only applied the response. */
  readonly rejects: boolean;
  /** `error_detail.message`, at most 2,048 characters of it. */
  readonly message: string;
  /** Errors and warnings by resource, errors first; at most 32, and none for a message in plain text. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Parses `error_detail.message`. agentgateway sends a JSON array of `{key, error}` and `{key, warn}`, also one of
 * warnings only, which is an ACK (rule G11). Any other text is a NACK, the empty text too, so that a message which is
 * not understood never counts as an ACK.
 */
export function parseErrorDetail(text: string): ErrorDetail {
  const diagnostics = parseDiagnostics(text);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning');
  return {
    rejects: errors.length > 0 || warnings.length === 0,
    message: bounded(text, 2048),
    diagnostics: [...errors, ...warnings].slice(0, 32).map(({ resource, severity, message }) => ({
      resource: bounded(resource, 256),
      severity,
      message: bounded(message, 512),
    })),
  };
}

/** The longest text that is parsed, in characters: room for 10,000 resources with a sentence each. */
const maxParsed = 1024 * 1024;

function parseDiagnostics(text: string): readonly Diagnostic[] {
  if (!text.startsWith('[') || text.length > maxParsed) return [];
  const entries = parseJson(text)?.value;
  if (!Array.isArray(entries)) return [];
  const diagnostics = entries.map(diagnosticOf);
  return diagnostics.includes(undefined) ? [] : diagnostics.filter((entry) => entry !== undefined);
}

function diagnosticOf(entry: unknown): Diagnostic | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { key, error, warn } = entry;
  if (typeof key !== 'string') return undefined;
  // An entry with both is an error.
  if (error !== undefined)
    return typeof error === 'string' ? { resource: key, severity: 'error', message: error } : undefined;
  return typeof warn === 'string' ? { resource: key, severity: 'warning', message: warn } : undefined;
}

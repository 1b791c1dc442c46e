import type { Diagnostic } from '../model.ts';
import { bounded } from '../request/bounded-text.ts';

/** What the `error_detail` of a request says. */
export interface Objection {
  /** Whether anything was refused. A node that only has warnings applied the response. */
  readonly refuses: boolean;
  /** At most 2,048 characters of what the node wrote. */
  readonly message: string;
  /** What it says of single resources, errors first; at most 32 of them. Empty when it wrote plain text. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the message of an `error_detail`. Any text is a refusal, an empty one too; an agentgateway node writes a JSON
 * array of `{key, error}` and `{key, warn}`, and also one of warnings alone (rule G11). Whatever is not exactly that is
 * plain text, so what is not understood never counts as accepted.
 */
export function readObjection(text: string): Objection {
  const diagnostics = diagnosticsOf(text);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning');
  return {
    refuses: errors.length > 0 || warnings.length === 0,
    message: bounded(text, 2048),
    diagnostics: [...errors, ...warnings].slice(0, 32).map(({ resource, severity, message }) => ({
      resource: bounded(resource, 256),
      severity,
      message: bounded(message, 512),
    })),
  };
}

/** A longer text is not worth the time that it takes to parse it; 10,000 resources with a sentence each are shorter. */
const longest = 1024 * 1024;

function diagnosticsOf(text: string): readonly Diagnostic[] {
  if (!text.startsWith('[') || text.length > longest) return [];
  const entries = parsed(text);
  if (!Array.isArray(entries)) return [];
  const diagnostics = entries.map(diagnosticOf);
  return diagnostics.includes(undefined) ? [] : diagnostics.filter((entry) => entry !== undefined);
}

function diagnosticOf(entry: unknown): Diagnostic | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { key, error, warn }: { key?: unknown; error?: unknown; warn?: unknown } = entry;
  if (typeof key !== 'string') return undefined;
  // An entry with both is an error: the worse of the two counts.
  if (error !== undefined)
    return typeof error === 'string' ? { resource: key, severity: 'error', message: error } : undefined;
  return typeof warn === 'string' ? { resource: key, severity: 'warning', message: warn } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

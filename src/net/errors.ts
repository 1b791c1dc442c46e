import { shortened } from '../json/quoted.ts';

/**
 * Returns the code of an error of Node, of the operating system or of OpenSSL, such as `ENOENT` (`error.code`, see
 * https://nodejs.org/api/errors.html#errorcode); `undefined` for a value without one. Causes are not looked at.
 */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Returns the code of an error, or else its message, shortened: messages of the file system repeat paths. */
export function codeOrReason(error: unknown): string {
  return codeOf(error) ?? reasonOf(error);
}

/** Returns whether the error says that a path does not exist. */
export function isNotFound(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Returns the first error of a kind among an error and its causes. */
export function causeOf<E extends Error>(error: unknown, kind: abstract new (...parts: never[]) => E): E | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof kind) return cause;
  return undefined;
}

/**
 * Formats an error as one line for a log field or a message, each of its messages shortened: some quote a whole page that
 * the peer sent. Includes the causes, since `fetch` puts its reason there.
 *
 * @param causes how many of them at most
 */
export function reasonOf(error: unknown, causes: number = maxCauses): string {
  if (!(error instanceof Error)) return shortened(String(error));
  const message = shortened(error.message) || error.name;
  return error.cause instanceof Error && causes > 0 ? `${message}: ${reasonOf(error.cause, causes - 1)}` : message;
}

const maxCauses = 4;

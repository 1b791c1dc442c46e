import { shortened } from '../../json/quoted.ts';
import { codeOf } from '../../net/errors.ts';

/**
 * Server or user are not described, or not readable. The message says what, where and what to do; it holds no secret.
 */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
}

/** Returns in a few words why a file or program could not be used, without anything that it contains. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return shortened(String(error));
  // Lines after the first may quote what was read.
  const [line = ''] = error.message.split('\n');
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'it does not exist';
    case 'EACCES':
      return 'this user may not read it';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOTDIR':
      return 'a part of its path is no folder';
    default:
      return shortened(line);
  }
}

/** The way to the API server is not described, or not readable. The message is for people: what, where, and a remedy. Never a token. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
}

/** Why a file or program could not be used, in a few words; never what it contains. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Lines after the first one may hold what was read.
  const [line = ''] = error.message.split('\n');
  switch ('code' in error ? error.code : undefined) {
    case 'ENOENT':
      return 'it does not exist';
    case 'EACCES':
      return 'this user may not read it';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOTDIR':
      return 'a part of its path is no folder';
    default:
      return line;
  }
}

/** The path of an object or a collection of the Kubernetes API, each segment encoded: `/apis/<group>/<version>/<segments>`. */
export function apiPath(apiVersion: string, ...segments: readonly string[]): string {
  return ['/apis', ...apiVersion.split('/'), ...segments]
    .map((part, at) => (at === 0 ? part : encodeURIComponent(part)))
    .join('/');
}

/** A fenced code block whose fence is longer than any run of backticks inside (https://spec.commonmark.org/0.31.2/#fenced-code-blocks). */
export function fenced(code: string, language: string): string {
  const longest = (code.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${code}\n${fence}`;
}

/** No message of MCP is nested deeper, and writing one that is would overflow the stack. */
const maxDepth = 500;

/** Whether JSON is nested so deep that it cannot be passed on. Reading such JSON works, writing it does not. */
export function isTooDeep(json: unknown, levels: number = maxDepth): boolean {
  if (typeof json !== 'object' || json === null) return false;
  return levels === 0 || Object.values(json).some((member) => isTooDeep(member, levels - 1));
}

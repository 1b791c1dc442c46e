/** The servers that are measured beside one another; the first is what the others are compared with. */
export const subjectNames = ['node:http2', 'grpc-js', 'gatehouse'] as const;

export type SubjectName = (typeof subjectNames)[number];

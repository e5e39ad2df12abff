// Words of what commands print.

/** "1 template", "2 templates". */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export const people = (n: number): string => counted(n, "person", "people");

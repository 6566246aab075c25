// The rows of a bill of materials as a tree whose branches open and close.
import type { BomRow } from "./life_api";

export interface Branch { key: string; row: BomRow; leaf: boolean; parents: readonly string[] }

/** Rows come from the top down, each followed by what it is made of. */
export function branchesOf(rows: readonly BomRow[]): Branch[] {
  const way: string[] = [], seen = new Map<string, number>();
  return rows.map((row, i): Branch => {
    way.length = row.level - 1;
    const plain = JSON.stringify([way[row.level - 2] ?? "", row.position ?? "", row.variant ?? "", row.part]);
    const again = seen.get(plain) ?? 0; // the same position twice has two keys
    seen.set(plain, again + 1);
    const key = again === 0 ? plain : `${plain}#${again}`;
    const branch = { key, row, leaf: (rows[i + 1]?.level ?? 0) <= row.level, parents: way.filter((x) => x !== undefined) };
    way[row.level - 1] = key;
    return branch;
  });
}

export function inSightOf(branches: readonly Branch[], closed: ReadonlySet<string>): Branch[] {
  return closed.size === 0 ? [...branches] : branches.filter((b) => !b.parents.some((p) => closed.has(p)));
}

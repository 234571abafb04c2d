/** A hash of text that is the same on every machine and for ever: what `H` and jitter are worked out from. */

/** FNV-1a, 32 bits, with its bits mixed at the end: `% 60` of the plain one clusters for keys such as job-1, job-2. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

// Asynchronous work on many items, a few at a time: enough to keep a disk busy, too few to run out of file handles.

const LANES = 16;

/** Results in the order of the items. The first error ends it. */
export async function mapParallel<In, Out>(
  items: readonly In[],
  work: (item: In, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results = new Array<Out>(items.length);
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!, i);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

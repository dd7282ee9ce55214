/** A reporter for node:test that writes the path of each file in which something failed, one a line. */
export default async function* failedFiles(events) {
  const files = new Set();
  for await (const { type, data } of events) {
    if (type === "test:fail" && data.todo === undefined) files.add(data.file ?? data.name);
  }
  for (const file of files) yield `${file}\n`;
}

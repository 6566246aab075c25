// Files that the page makes.
import { csvCell } from "./format";

export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name.replace(/[^\w.-]+/g, "_");
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function downloadCsv(name: string, head: readonly string[], rows: Iterable<readonly unknown[]>): void {
  const lines = [head.map(csvCell).join(",")];
  for (const row of rows) lines.push(row.map(csvCell).join(","));
  download(name, new Blob([lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
}

/** A canvas on an opaque ground with a line of text above it. */
export function downloadPng(name: string, canvas: HTMLCanvasElement, title: string): void {
  const style = getComputedStyle(document.documentElement);
  const ratio = window.devicePixelRatio, head = 28 * ratio;
  const page = document.createElement("canvas");
  page.width = canvas.width;
  page.height = canvas.height + head;
  const pen = page.getContext("2d")!;
  pen.fillStyle = style.getPropertyValue("--panel");
  pen.fillRect(0, 0, page.width, page.height);
  pen.fillStyle = style.getPropertyValue("--ink");
  pen.font = `${13 * ratio}px sans-serif`;
  pen.fillText(title, 8 * ratio, 18 * ratio);
  pen.drawImage(canvas, 0, head);
  page.toBlob((blob) => { if (blob !== null) download(name, blob); }, "image/png");
}

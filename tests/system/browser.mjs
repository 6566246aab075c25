// A page of the console in a real browser, with an account of everything that went wrong in it.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ROOT, tempDir, until } from "./support.mjs";

const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => existsSync(p));
const SHOTS = process.env.GM_SCREENSHOTS ?? join(ROOT, "build", "screenshots");

/** Opens a browser with an empty profile; `faults` lists script errors and whatever was fetched from elsewhere than `address`. `space`: it draws in 3D. */
export async function openBrowser(address, { space = false, ...more } = {}) {
  assert.ok(BROWSER, "chromium is missing: tools/setup test installs it");
  mkdirSync(SHOTS, { recursive: true });
  const profile = tempDir("chromium"), faults = [];
  const context = await chromium.launchPersistentContext(profile.dir, {
    executablePath: BROWSER,
    viewport: { width: 1280, height: 800 },
    args: ["--headless", "--no-sandbox", space ? "--enable-unsafe-swiftshader" : "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ...more,
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(error.stack ?? String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`http://${address}`) && !/^(data|blob|about):/.test(url)) faults.push(`fetched ${url}`);
  });
  const theme = async (wanted) => {
    for (let i = 0; i < 3 && (await page.getAttribute("html", "data-theme")) !== wanted; i++) await page.getByTestId("theme").click();
    assert.equal(await page.getAttribute("html", "data-theme"), wanted);
  };
  return {
    page, faults, theme,
    /** The page as it is, as a file to look at. */
    shot: (name) => page.screenshot({ path: join(SHOTS, `${name}.png`) }),
    /** The page in both themes, as files to look at. */
    shots: async (name) => {
      for (const wanted of ["light", "dark"]) {
        await theme(wanted);
        await page.waitForTimeout(250);
        await page.screenshot({ path: join(SHOTS, `${name}-${wanted}.png`) });
      }
    },
    close: async () => {
      await context.close();
      profile.remove();
    },
  };
}

/** How a page of the console is spoken to; `at` gives the page and the server's address, which are there only when a test runs. */
export function consoleAt(at) {
  return {
    /** A view, as if its address had been typed; it is there when the page is live. */
    open: async (hash, address = at().http) => {
      const { page } = at();
      await page.goto("about:blank");
      await page.goto(`http://${address}/#${hash}`);
      await until(async () => (await page.getByTestId("connection").textContent()) === "Live", 60000, "never live");
    },
    /** A part of the address. */
    param: (name) => new URLSearchParams(new URL(at().page.url()).hash.slice(1)).get(name),
    /** Waits for a text. */
    has: (locator, pattern, why) => until(async () => pattern.test((await locator.textContent({ timeout: 5000 }).catch(() => "")) ?? ""), 60000, async () => `${why}: ${await locator.textContent({ timeout: 1000 }).catch(() => "nothing")}`),
    /** How much wider than the window the page is, in px. */
    tooWide: () => at().page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  };
}

// @ts-check
// Before the first paint: the reader's choice of light or dark, where one was made.
(() => {
  try {
    const theme = localStorage.getItem('lyceum.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's choice stands.
  }
})();

// What the rules beside this find, and what they let be. Nothing of it is built.

function page(text: string) {
  // ruleid: no-page-from-texts
  element.innerHTML = text;
  // ruleid: no-page-from-texts
  const raw = <p dangerouslySetInnerHTML={{ __html: text }} />;
  // ruleid: no-page-from-texts
  eval(text);
  // ok: no-page-from-texts
  return <p>{text}</p>;
}

function kept(token: string) {
  // ruleid: nothing-secret-in-the-browser
  localStorage.setItem('token', token);
  // ok: nothing-secret-in-the-browser
  localStorage.setItem('theme', 'dark');
}

//! No circles between files: within each crate, whatever a file uses does not use that file in turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Item, ItemMod, UseTree, Visibility,
    visit::{self, Visit},
};

/// What a module names.
#[derive(Default)]
struct Module {
    file: PathBuf,
    /// Names of the modules in it.
    children: BTreeSet<String>,
    /// Items of other modules under the name that they have here, and whether others may use them by it.
    names: BTreeMap<String, (Vec<String>, bool)>,
    /// Paths whose items are used here.
    uses: Vec<Vec<String>>,
}

/// The modules of a crate by their paths; the root's is empty.
type Modules = BTreeMap<Vec<String>, Module>;

/// Gathers a module's items, and the modules in it.
struct Reader<'a> {
    path: Vec<String>,
    /// Where the files of the modules in this one are.
    folder: PathBuf,
    modules: &'a mut Modules,
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let says_test = |attribute: &Attribute| {
        let list = attribute.meta.require_list().map(|list| list.tokens.to_string());
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg") && list.is_ok_and(|list| list == "test"))
    };
    attributes.iter().any(says_test)
}

impl Reader<'_> {
    fn this(&mut self) -> &mut Module {
        self.modules.entry(self.path.clone()).or_default()
    }

    fn items(&mut self, file: &Path, items: &[Item]) {
        self.this().file = file.to_owned();
        items.iter().for_each(|item| self.visit_item(item));
    }

    /// Reads the file of a module that is declared here.
    fn file_of(&self, item: &ItemMod) -> PathBuf {
        let named = item.attrs.iter().find(|attribute| attribute.path().is_ident("path"));
        if let Some(syn::Meta::NameValue(value)) = named.map(|attribute| &attribute.meta)
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) = &value.value
        {
            return self.folder.join(path.value());
        }
        let name = item.ident.to_string();
        let single = self.folder.join(format!("{name}.rs"));
        if single.is_file() { single } else { self.folder.join(name).join("mod.rs") }
    }

    fn use_tree(&mut self, tree: &UseTree, before: &[String], is_export: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (path, name) = match tree {
            UseTree::Path(tree) => return self.use_tree(&tree.tree, &with(&tree.ident), is_export),
            UseTree::Group(tree) => {
                return tree.items.iter().for_each(|tree| self.use_tree(tree, before, is_export));
            }
            UseTree::Glob(_) => (before.to_vec(), "*".to_owned()),
            UseTree::Name(tree) if tree.ident == "self" => (before.to_vec(), before.join("::")),
            UseTree::Name(tree) => (with(&tree.ident), tree.ident.to_string()),
            UseTree::Rename(tree) => (with(&tree.ident), tree.rename.to_string()),
        };
        let this = self.this();
        this.names.insert(name, (path.clone(), is_export));
        if !is_export {
            this.uses.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let name = item.ident.to_string();
        let path = [&self.path[..], std::slice::from_ref(&name)].concat();
        self.this().children.insert(name.clone());
        let this_file = self.this().file.clone();
        let folder = self.folder.join(&name);
        match &item.content {
            Some((_, items)) => Reader { path, folder, modules: self.modules }.items(&this_file, items),
            None => {
                let file = self.file_of(item);
                let text =
                    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                let parsed =
                    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                Reader { path, folder, modules: self.modules }.items(&file, &parsed.items);
            }
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_export = !matches!(item.vis, Visibility::Inherited);
        self.use_tree(&item.tree, &[], is_export);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // A single name is no module, but may be a variable that is called like one.
        let this = self.this();
        if names.len() > 1 || this.names.get(&names[0]).is_some_and(|(_, is_export)| *is_export) {
            this.uses.push(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {
        // `pub(in super::super)` uses nothing.
    }
}

/// The module in which the item at a path is, seen from the module `from`; `None` for what is not in this crate.
fn home(modules: &Modules, from: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let (mut at, mut rest) = match first.as_str() {
        "crate" => (Vec::new(), rest),
        "self" => (from.to_vec(), rest),
        "super" => (from[..from.len().checked_sub(1)?].to_vec(), rest),
        name if modules[from].children.contains(name) || modules[from].names.contains_key(name) => {
            (from.to_vec(), path)
        }
        _ => return None,
    };
    while let Some((name, more)) = rest.split_first() {
        let module = modules.get(&at)?;
        if name == "super" {
            at.pop()?;
        } else if module.children.contains(name) {
            at.push(name.clone());
        } else {
            let named = module.names.get(name).filter(|_| depth < 20);
            return match named {
                Some((item, _)) => home(modules, &at, item, depth + 1),
                None => Some(at),
            };
        }
        rest = more;
    }
    Some(at)
}

/// The files that each file of a crate uses.
fn dependencies(root: &Path) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
    let text = fs::read_to_string(root).expect("the crate's root");
    let parsed = syn::parse_file(&text).expect("Rust");
    let mut modules = Modules::new();
    let folder = root.parent().expect("a folder").to_owned();
    Reader { path: Vec::new(), folder, modules: &mut modules }.items(root, &parsed.items);
    let mut files: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for (path, module) in &modules {
        let used = module.uses.iter().filter_map(|used| home(&modules, path, used, 0));
        let used = used.filter_map(|home| Some(modules.get(&home)?.file.clone()));
        files.entry(module.file.clone()).or_default().extend(used.filter(|file| *file != module.file));
    }
    files
}

/// The files that `from` uses, directly or through others.
fn reachable(files: &BTreeMap<PathBuf, BTreeSet<PathBuf>>, from: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(next) = open.pop() {
        let used = files.get(&next).into_iter().flatten();
        open.extend(used.filter(|file| found.insert((*file).clone())).cloned());
    }
    found
}

/// Files that reach themselves, with those on the way.
fn circles(root: &Path) -> Vec<Vec<String>> {
    let files = dependencies(root);
    let reach: BTreeMap<&PathBuf, BTreeSet<PathBuf>> =
        files.keys().map(|file| (file, reachable(&files, file))).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    for (file, reached) in &reach {
        let circle = reached.iter().filter(|other| reach[other].contains(*file));
        let circle: Vec<String> = circle.map(|other| other.display().to_string()).collect();
        if !circle.is_empty() && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

fn crates() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let entries = fs::read_dir(folder).expect("the crates").map(|entry| entry.expect("a crate").path());
    let roots = entries.flat_map(|folder| ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root)));
    let roots: Vec<PathBuf> = roots.filter(|root| root.is_file()).collect();
    assert!(roots.len() > 9, "{roots:?}");
    roots
}

/// Crates whose circles are known: an architecture and its parts describe one another.
const KNOWN: &str = "trm-model/";

#[test]
fn no_crate_has_circles_between_files() {
    let roots = crates().into_iter().filter(|root| !root.display().to_string().contains(KNOWN));
    let found: Vec<Vec<String>> = roots.flat_map(|root| circles(&root)).collect();
    let list: Vec<String> = found.iter().map(|circle| circle.join("\n  ")).collect();
    assert!(found.is_empty(), "files that use one another:\n  {}", list.join("\nand\n  "));
}

/// The search sees circles where there are some: through re-exports, between a module and one in it, in paths without `use`.
#[test]
fn circles_are_found() {
    for (files, expected) in [
        (
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "pub struct B; use std::a;"),
            ][..],
            0,
        ),
        (
            &[
                ("lib.rs", "mod a; mod b; pub use b::B;"),
                ("a.rs", "use crate::B; pub struct A;"),
                ("b.rs", "fn b(_: super::a::A) {}"),
            ],
            2,
        ),
        (&[("lib.rs", "mod a; use a::A; struct B;"), ("a.rs", "pub struct A(super::B);")], 2),
        (&[("lib.rs", "mod a; pub use a::A; pub struct B;"), ("a.rs", "pub struct A(crate::B);")], 0),
        (
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b;"),
                ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }"),
            ],
            0,
        ),
    ] {
        let folder = std::env::temp_dir().join(format!("trm-circles-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in files {
            fs::write(folder.join(name), text).expect("written");
        }
        let found = circles(&folder.join("lib.rs"));
        fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(found.first().map_or(0, Vec::len), expected, "{files:?}: {found:?}");
    }
}

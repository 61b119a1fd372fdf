//! An interpreter for the pickles of PyTorch state dictionaries.

use std::{collections::HashMap, rc::Rc};

use super::storage::{Storage, kind};

/// A value on the interpreter's stack.
#[derive(Clone, Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Str(Rc<str>),
    Tuple(Rc<[Value]>, Depth),
    /// Lists and dictionaries are built in place; entries with keys other than strings are dropped.
    Dict(Vec<(Rc<str>, Value)>),
    List,
    Global(&'static str),
    /// Something that a state dictionary does not need, in words: code, which is never run, and what it would have made.
    Foreign(Rc<str>),
    Storage(Rc<Storage>),
    Tensor(Rc<TensorRef>),
    Mark,
}

/// A tensor: a strided view of a storage.
#[derive(Debug)]
pub(super) struct TensorRef {
    pub storage: Rc<Storage>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

impl Value {
    /// Something that is of no use here.
    fn foreign(what: String) -> Self {
        Value::Foreign(what.into())
    }
}

/// How deep tuples nest; kept, since shared tuples would take exponential time to measure.
type Depth = u8;

/// Nothing in a state dictionary nests deeper than this; what does is foreign to it.
const MAX_DEPTH: Depth = 8;

/// Values on the stack and in the memo. A state dictionary has some thousands, lists are thrown away a thousand items at a time.
const MAX_VALUES: usize = 1 << 22;

/// The longest name of code that is told in full.
const MAX_NAME: usize = 80;

/// No weight has more axes. Few bytes of pickle can rebuild a tensor again, so each must be small.
const MAX_AXES: usize = 8;

/// The functions and types that a state dictionary may name, beside those of storages.
const GLOBALS: [&str; 6] = [
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._tensor._rebuild_from_type_v2",
    "torch.Tensor",
];

/// What a pickle left.
pub(super) struct Unpickled<'a> {
    /// The value it makes.
    pub value: Value,
    /// The bytes behind it.
    pub rest: &'a [u8],
    /// Its strings, in order.
    pub strings: Vec<Rc<str>>,
    /// All storages that it names, by their keys.
    pub storages: HashMap<Rc<str>, Rc<Storage>>,
}

/// Runs the pickle that `bytes` begin with.
///
/// # Errors
/// A sentence that says what was met that no state dictionary needs.
pub(super) fn unpickle(bytes: &[u8]) -> Result<Unpickled<'_>, String> {
    let mut machine = Machine {
        input: bytes,
        stack: Vec::new(),
        memo: HashMap::new(),
        strings: Vec::new(),
        storages: HashMap::new(),
    };
    let value = machine.run()?;
    let Machine { input: rest, strings, storages, .. } = machine;
    Ok(Unpickled { value, rest, strings, storages })
}

struct Machine<'a> {
    input: &'a [u8],
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
    strings: Vec<Rc<str>>,
    storages: HashMap<Rc<str>, Rc<Storage>>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value, String> {
        loop {
            if self.stack.len() + self.memo.len() + self.strings.len() > MAX_VALUES {
                return Err(format!("over {MAX_VALUES} values at a time"));
            }
            let [opcode] = self.take()?;
            match opcode {
                b'.' => return self.pop(),                                        // STOP
                0x80 => drop(self.take::<1>()?),                                  // PROTO
                0x95 => drop(self.take::<8>()?),                                  // FRAME
                b'(' => self.push(Value::Mark),                                   // MARK
                b'N' => self.push(Value::None),                                   // NONE
                0x88 | 0x89 => self.push(Value::Bool(opcode == 0x88)),            // NEWTRUE, NEWFALSE
                b'J' => self.int(|b: [u8; 4]| i64::from(i32::from_le_bytes(b)))?, // BININT
                b'K' => self.int(|[b]: [u8; 1]| i64::from(b))?,                   // BININT1
                b'M' => self.int(|b: [u8; 2]| i64::from(u16::from_le_bytes(b)))?, // BININT2
                0x8a => self.long()?,                                             // LONG1
                b'G' => self.int(|_: [u8; 8]| -1)?, // BINFLOAT: never part of a tensor, as -1 is not
                0x8b => self.bytes(|b: [u8; 4]| u32::from_le_bytes(b) as usize, "a long number")?, // LONG4
                b'B' => self.bytes(|b: [u8; 4]| u32::from_le_bytes(b) as usize, "bytes")?, // BINBYTES
                b'C' => self.bytes(|[b]: [u8; 1]| usize::from(b), "bytes")?, // SHORT_BINBYTES
                0x8e | 0x96 => {
                    // BINBYTES8, BYTEARRAY8
                    let len = |b: [u8; 8]| usize::try_from(u64::from_le_bytes(b)).unwrap_or(usize::MAX);
                    self.bytes(len, "bytes")?;
                }
                0x8f => self.push(Value::foreign("a set".into())), // EMPTY_SET
                0x90 => drop(self.pop_to_mark()?),                 // ADDITEMS
                0x91 => {
                    // FROZENSET
                    self.pop_to_mark()?;
                    self.push(Value::foreign("a set".into()));
                }
                b'0' => drop(self.pop()?), // POP
                b'X' => self.string(|b: [u8; 4]| u32::from_le_bytes(b) as usize)?, // BINUNICODE
                0x8c => self.string(|[b]: [u8; 1]| usize::from(b))?, // SHORT_BINUNICODE
                b')' => self.push(Value::Tuple(Rc::new([]), 0)), // EMPTY_TUPLE
                0x85..=0x87 => self.tuple(usize::from(opcode - 0x84))?, // TUPLE1, 2, 3
                b't' => {
                    // TUPLE
                    let items = self.pop_to_mark()?;
                    self.push_tuple(items);
                }
                b'}' => self.push(Value::Dict(Vec::new())), // EMPTY_DICT
                b']' => self.push(Value::List),             // EMPTY_LIST
                b's' => {
                    // SETITEM
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.set_items(vec![key, value])?;
                }
                b'u' => {
                    // SETITEMS
                    let items = self.pop_to_mark()?;
                    self.set_items(items)?;
                }
                b'a' => drop(self.pop()?), // APPEND: what lists hold is of no use here
                b'e' => drop(self.pop_to_mark()?), // APPENDS
                b'b' => drop(self.pop()?), // BUILD: attributes such as `_metadata`
                b'q' => {
                    // BINPUT
                    let [slot] = self.take()?;
                    self.remember(u32::from(slot))?;
                }
                b'r' => {
                    // LONG_BINPUT
                    let slot = u32::from_le_bytes(self.take()?);
                    self.remember(slot)?;
                }
                0x94 => self.remember(self.memo.len() as u32)?, // MEMOIZE
                b'h' => {
                    // BINGET
                    let [slot] = self.take()?;
                    self.recall(u32::from(slot))?;
                }
                b'j' => {
                    // LONG_BINGET
                    let slot = u32::from_le_bytes(self.take()?);
                    self.recall(slot)?;
                }
                b'c' => {
                    // GLOBAL
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(global(&module, &name));
                }
                0x93 => match (self.pop()?, self.pop()?) {
                    // STACK_GLOBAL
                    (Value::Str(name), Value::Str(module)) => self.push(global(&module, &name)),
                    _ => return Err("a global that is not named by strings".into()),
                },
                b'Q' => {
                    // BINPERSID
                    let id = self.pop()?;
                    let value = storage(&id)?;
                    if let Value::Storage(storage) = &value {
                        self.storages.entry(storage.key.clone()).or_insert_with(|| storage.clone());
                    }
                    self.push(value);
                }
                b'R' | 0x81 => {
                    // REDUCE, NEWOBJ
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    self.push(call(&function, &arguments)?);
                }
                other => return Err(format!("the pickle instruction 0x{other:02x}")),
            }
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (head, rest) =
            self.input.split_first_chunk::<N>().ok_or("the end of the pickle before its stop")?;
        self.input = rest;
        Ok(*head)
    }

    fn take_str(&mut self, len: usize) -> Result<Rc<str>, String> {
        let (head, rest) = self.input.split_at_checked(len).ok_or("a string longer than the pickle")?;
        self.input = rest;
        std::str::from_utf8(head).map(Rc::from).map_err(|_| "a string that is not UTF-8".into())
    }

    fn line(&mut self) -> Result<Rc<str>, String> {
        let end = self.input.iter().position(|b| *b == b'\n').ok_or("a name without an end")?;
        let line = self.take_str(end)?;
        let [_newline] = self.take()?;
        Ok(line)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(|| "an instruction that lacks its operand".into())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.stack.iter().rposition(|value| matches!(value, Value::Mark));
        let items = self.stack.split_off(mark.ok_or("a list of items without a start")? + 1);
        self.pop()?;
        Ok(items)
    }

    fn int<const N: usize>(&mut self, decode: impl Fn([u8; N]) -> i64) -> Result<(), String> {
        let bytes = self.take()?;
        self.push(Value::Int(decode(bytes)));
        Ok(())
    }

    fn long(&mut self) -> Result<(), String> {
        let [len] = self.take()?;
        let (head, rest) = self.input.split_at_checked(usize::from(len)).ok_or("a number without an end")?;
        self.input = rest;
        if head.len() > 8 {
            return Err("a number of more than 8 bytes".into());
        }
        let negative = head.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut bytes = [if negative { 0xff } else { 0 }; 8];
        bytes[..head.len()].copy_from_slice(head);
        self.push(Value::Int(i64::from_le_bytes(bytes)));
        Ok(())
    }

    /// Passes over bytes that nothing here needs.
    fn bytes<const N: usize>(
        &mut self,
        len: impl Fn([u8; N]) -> usize,
        what: &'static str,
    ) -> Result<(), String> {
        let len = len(self.take()?);
        let (_, rest) = self.input.split_at_checked(len).ok_or_else(|| format!("{what} without an end"))?;
        self.input = rest;
        self.push(Value::foreign(what.to_owned()));
        Ok(())
    }

    fn string<const N: usize>(&mut self, len: impl Fn([u8; N]) -> usize) -> Result<(), String> {
        let len = len(self.take()?);
        let string = self.take_str(len)?;
        self.strings.push(string.clone());
        self.push(Value::Str(string));
        Ok(())
    }

    fn tuple(&mut self, len: usize) -> Result<(), String> {
        let start = self.stack.len().checked_sub(len).ok_or("a tuple that lacks its items")?;
        let items = self.stack.split_off(start);
        self.push_tuple(items);
        Ok(())
    }

    fn push_tuple(&mut self, items: Vec<Value>) {
        let depth = items.iter().map(depth).max().unwrap_or(0);
        self.push(if depth < MAX_DEPTH { Value::Tuple(items.into(), depth + 1) } else { too_deep() });
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<(), String> {
        let entries = match self.stack.last_mut() {
            Some(Value::Dict(entries)) => entries,
            // What other code would have made, or a dictionary that was recalled: nobody looks into these.
            Some(Value::Foreign(_) | Value::None) => return Ok(()),
            _ => return Err("items for something that is not a dictionary".into()),
        };
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            if let Value::Str(key) = key {
                let value = if depth(&value) < MAX_DEPTH { value } else { too_deep() };
                entries.push((key, value));
            }
        }
        Ok(())
    }

    fn remember(&mut self, slot: u32) -> Result<(), String> {
        let value = match self.stack.last().ok_or("an instruction that lacks its operand")? {
            // Changed in place later, and never read back by what `torch.save` writes.
            Value::Dict(_) | Value::List => Value::None,
            value => value.clone(),
        };
        self.memo.insert(slot, value);
        Ok(())
    }

    fn recall(&mut self, slot: u32) -> Result<(), String> {
        let value = self.memo.get(&slot).ok_or("a reference to a value that was never stored")?.clone();
        self.push(value);
        Ok(())
    }
}

/// How deep containers nest in a value.
fn depth(value: &Value) -> Depth {
    match value {
        Value::Tuple(_, depth) => *depth,
        // Dictionaries are never shared, so that to walk them takes no longer than to read them.
        Value::Dict(entries) => 1 + entries.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

fn too_deep() -> Value {
    Value::foreign(format!("values nested over {MAX_DEPTH} deep"))
}

fn global(module: &str, name: &str) -> Value {
    let known = |path: &&str| path.rsplit_once('.') == Some((module, name));
    let storage = || (module == "torch").then(|| kind(name).map(|(name, _)| name)).flatten();
    match GLOBALS.into_iter().find(known).or_else(storage) {
        Some(path) => Value::Global(path),
        // Few bytes can name the same code again and again, so that each name must be short.
        None => {
            let name: String = format!("{module}.{name}").chars().take(MAX_NAME).collect();
            Value::foreign(format!("the code `{name}`, which was not run"))
        }
    }
}

/// Storage keys are decimal numbers.
const MAX_KEY: usize = 32;

/// `('storage', torch.FloatStorage, key, location, numel)`; the location (`cpu`, `cuda:0`) does not matter. Before PyTorch 1.6
/// a part of the storage could follow, which is `None` in all that was written since.
fn storage(id: &Value) -> Result<Value, String> {
    let strange = || "a storage that is not described as PyTorch does".to_owned();
    let Value::Tuple(items, _) = id else { return Err(strange()) };
    let ([Value::Str(tag), kind, Value::Str(key), Value::Str(_), Value::Int(len)]
    | [Value::Str(tag), kind, Value::Str(key), Value::Str(_), Value::Int(len), Value::None]) = &**items
    else {
        return Err(strange());
    };
    match (kind, usize::try_from(*len)) {
        _ if &**tag != "storage" || key.len() > MAX_KEY => Err(strange()),
        (Value::Global(kind), Ok(len)) if kind.ends_with("Storage") => {
            Ok(Value::Storage(Rc::new(Storage { kind, key: key.clone(), len })))
        }
        (Value::Foreign(what), Ok(_)) => Ok(Value::Foreign(what.clone())),
        _ => Err(strange()),
    }
}

fn call(function: &Value, arguments: &Value) -> Result<Value, String> {
    let (function, arguments) = match (function, arguments) {
        (Value::Global(function), Value::Tuple(arguments, _)) => (function, arguments),
        (Value::Foreign(what), _) => return Ok(Value::Foreign(what.clone())),
        // What too deep arguments would have made.
        (Value::Global(_), Value::Foreign(what)) => return Ok(Value::Foreign(what.clone())),
        _ => return Err("a call of something that is not a function".into()),
    };
    match (*function, &**arguments) {
        ("collections.OrderedDict", []) => Ok(Value::Dict(Vec::new())),
        // A tensor of numbers that no weights are.
        (_, [Value::Foreign(what), ..]) => Ok(Value::Foreign(what.clone())),
        (
            "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state",
            [Value::Tensor(tensor), ..],
        ) => Ok(Value::Tensor(tensor.clone())),
        // A tensor with attributes, as `torch.nn.Buffer` is one: the function that makes it, its type, the arguments.
        (
            "torch._tensor._rebuild_from_type_v2",
            [Value::Global(function @ "torch._utils._rebuild_tensor_v2"), _, arguments, ..],
        ) => call(&Value::Global(function), arguments),
        (
            "torch._utils._rebuild_tensor_v2",
            [
                Value::Storage(storage),
                Value::Int(offset),
                Value::Tuple(shape, _),
                Value::Tuple(strides, _),
                ..,
            ],
        ) => {
            let tensor = TensorRef {
                storage: storage.clone(),
                offset: usize::try_from(*offset).map_err(|_| "a negative storage offset")?,
                shape: sizes(shape)?,
                strides: sizes(strides)?,
            };
            Ok(Value::Tensor(Rc::new(tensor)))
        }
        _ => Err(format!("a call of `{function}` with arguments it does not take")),
    }
}

fn sizes(values: &[Value]) -> Result<Vec<usize>, String> {
    let size = |value: &Value| match value {
        Value::Int(size) => usize::try_from(*size).map_err(|_| format!("the size {size}")),
        _ => Err("a size that is not a number".to_owned()),
    };
    if values.len() > MAX_AXES {
        return Err(format!("a tensor of over {MAX_AXES} axes"));
    }
    values.iter().map(size).collect()
}

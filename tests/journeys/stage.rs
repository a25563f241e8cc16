//! A stage without a terminal: keys from a test, frames into a buffer that the test can read.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};
use tokio::sync::mpsc::UnboundedReceiver;
use toktui::desktop::Error;
use toktui::desktop::keys::Input;
use toktui::domain::failure::{Failure, Kind};
use toktui::runtime::stage::{Edited, Happening, Stage};

/// What loop and test both see.
pub struct Shown {
    screen: Mutex<TestBackend>,
    frames: AtomicUsize,
    idle: AtomicBool,
    /// The user's editor, for once.
    pub editor: Mutex<Option<Editor>>,
}

/// What an editor makes of a text.
pub type Editor = Box<dyn FnOnce(&str) -> String + Send>;

impl Shown {
    pub fn new((columns, rows): (u16, u16)) -> Arc<Self> {
        Arc::new(Self {
            screen: Mutex::new(TestBackend::new(columns, rows)),
            frames: AtomicUsize::default(),
            idle: AtomicBool::default(),
            editor: Mutex::default(),
        })
    }

    pub fn resize(&self, (columns, rows): (u16, u16)) {
        self.screen().resize(columns, rows);
    }

    pub fn size(&self) -> (u16, u16) {
        let area = *self.screen().buffer().area();
        (area.width, area.height)
    }

    /// The screen's lines, without the blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        lines(self.screen().buffer())
    }

    /// How many frames were drawn.
    pub fn frames(&self) -> usize {
        self.frames.load(Ordering::SeqCst)
    }

    /// From here on the loop counts as at work, until it has drawn and has nothing left to do.
    pub fn expect_work(&self) {
        self.idle.store(false, Ordering::SeqCst);
    }

    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::SeqCst)
    }

    fn screen(&self) -> MutexGuard<'_, TestBackend> {
        self.screen.lock().unwrap()
    }
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area().width).max(1);
    let line = |cells: &[Cell]| {
        let mut text = String::new();
        let mut wide = 0;
        for cell in cells {
            // The cell behind a wide character holds nothing of its own.
            if wide == 0 {
                text.push_str(cell.symbol());
                wide = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1);
            }
            wide -= 1;
        }
        text.trim_end().to_owned()
    };
    buffer.content().chunks(width).map(line).collect()
}

/// Draws into the shared buffer.
pub struct SharedBackend(pub Arc<Shown>);

impl Backend for SharedBackend {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        // A frame may still be on its way to a screen that has become smaller, as to a real one.
        let mut screen = self.0.screen();
        let area = *screen.buffer().area();
        screen.draw(content.filter(|(x, y, _)| *x < area.width && *y < area.height))
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.0.screen().hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.0.screen().show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.0.screen().get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.0.screen().set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.0.screen().clear()
    }

    fn clear_region(&mut self, kind: ClearType) -> Result<(), Infallible> {
        self.0.screen().clear_region(kind)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.0.screen().size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.0.screen().window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.0.frames.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Hands the test's keys to the loop, and tells the test when the loop has nothing left to do.
pub struct TestStage {
    pub happenings: UnboundedReceiver<Happening>,
    pub shown: Arc<Shown>,
}

impl Stage for TestStage {
    type Backend = SharedBackend;

    async fn next(&mut self, _behind: bool) -> Happening {
        if let Ok(happening) = self.happenings.try_recv() {
            return happening;
        }
        self.shown.idle.store(true, Ordering::SeqCst);
        match self.happenings.recv().await {
            Some(happening) => happening,
            None => Happening::Input(Input::Gone),
        }
    }

    fn try_next(&mut self) -> Option<Input> {
        match self.happenings.try_recv() {
            Ok(Happening::Input(input)) => Some(input),
            _ => None,
        }
    }

    fn is_behind(&self) -> bool {
        false
    }

    fn mouse(&self, _caught: bool) {}

    async fn suspend(&mut self) -> Result<(), Error> {
        Ok(())
    }

    async fn edit(&mut self, text: &str) -> Result<Edited, Error> {
        let editor = self.shown.editor.lock().unwrap().take();
        Ok(match editor {
            Some(editor) => Ok(Some(editor(text))),
            None => Err(Failure::new(Kind::Unusable, "Editing it as JSON", "no editor is named here")),
        })
    }

    fn take_again(&self) -> Result<(), Error> {
        Ok(())
    }
}

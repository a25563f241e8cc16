//! The mytokens that only a recorded tree or list names: they are made before they are asked for.

use serde_json::{Value, json};

use super::{Player, claims, mom_id, tokens};

impl Player {
    /// The live id of the mytoken that a recorded tree has above the one with this id. It is made if need be.
    pub fn made_parent(&mut self, id: &str, claims: &Value) -> Option<String> {
        let trees = self.exchanges.iter().map(|exchange| &exchange["response"]["body"]["mytokens"]);
        let above = trees.flat_map(nodes).find(|(_, node)| node["mom_id"] == id)?.0?;
        Some(self.made(&above, claims))
    }

    /// The live id of the mytoken of a recorded tree, which is made if nothing else made it: as one of the user
    /// whose `claims` these are.
    pub fn made(&mut self, node: &Value, claims: &Value) -> String {
        let id = node["mom_id"].as_str().expect("an id").to_owned();
        if let Some(live) = self.live.get(&id) {
            return live.clone();
        }
        let sent = self.exchanges.iter().flat_map(|exchange| tokens(&exchange["request"]));
        let known = sent.filter_map(|text| Some((self::claims(&text)?, text)));
        let known =
            known.filter(|(claims, _)| claims["jti"].is_string()).find(|(claims, _)| mom_id(claims) == id);
        let mut own = claims.clone();
        own["iat"] = node["created"].clone();
        own["name"] = node["name"].clone();
        own["rotation"] = Value::Null;
        own["restrictions"] =
            if node["expires_at"].is_null() { Value::Null } else { json!([{"exp": node["expires_at"]}]) };
        let own = known.as_ref().map_or(own, |(claims, _)| claims.clone());
        let parent = self.made_parent(&id, &own);
        let issued = self.world.issue(&own, parent, false);
        self.live.insert(id.clone(), issued.mom_id.clone());
        if let Some((_, text)) = known {
            self.live.insert(text.clone(), issued.mytoken.expose().to_owned());
            self.ids.insert(text, id);
        }
        issued.mom_id
    }
}

/// What is told of each mytoken of a tree, or of several trees, and of the one above it.
pub fn nodes(trees: &Value) -> Vec<(Option<Value>, Value)> {
    let roots = if trees.is_object() { std::slice::from_ref(trees) } else { list(trees) };
    let below = |root: &Value| {
        let children = list(&root["children"]).iter().flat_map(nodes);
        let children = children.map(|(above, node)| (above.or_else(|| Some(root["token"].clone())), node));
        std::iter::once((None, root["token"].clone())).chain(children).collect::<Vec<_>>()
    };
    roots.iter().flat_map(below).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
